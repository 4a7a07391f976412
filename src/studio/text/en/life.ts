/** The life of a model at an address. */
export const life = {
  new: 'new',
  newHint: 'Its service offers it and this program does not know it yet, so only what its family takes is sent.',
  endsShort: 'ends {day}',
  endsSomeShort: 'will end',
  endedShort: 'retired',
  endsOn: '{model} ends on this host on {day}.',
  ends: '{model} will end on this host; the day is not known.',
  closed: 'Accounts that never opened it cannot open it any more.',
  endedOn: '{model} was retired on this host on {day}.',
  ended: '{model} was retired on this host.',
  stillSent: 'It is asked all the same; being refused is free.',
  successor: '{successor} takes its place.',
  closedToThis: '{model} is being retired on this host and is closed to accounts that never opened it.',
  unknown:
    'The service does not have {model} for this key: the id is wrong, the model was retired, or it is closed to accounts that never opened it.',
  offered: '{successor} is to be had there.',
  free: 'Nothing was charged.',
  use: 'Use {successor} instead',
  used: '{successor} takes over. Look at size and price before you create.',
  listed: 'The service itself said so, {when}.',
}
