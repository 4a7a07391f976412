/** The life of a model at an address. */
export const life = {
  new: 'new',
  newHint:
    'The service offers this model, but this program does not know it yet; only what the rest of its family accepts is sent.',
  endsShort: 'ends {day}',
  endsSomeShort: 'ending',
  endedShort: 'retired',
  notServedShort: 'not at this address',
  notServed: "Your key's address is not known to offer {model}. The request is sent all the same; a refusal is free.",
  endsOn: '{model} will be retired on this host on {day}.',
  ends: '{model} will be retired on this host; the date is not known.',
  closed: 'It is closed to accounts that never activated it.',
  endedOn: '{model} was retired on this host on {day}.',
  ended: '{model} was retired on this host.',
  stillSent: 'The request is sent all the same; a refusal is free.',
  successor: '{successor} replaces it.',
  closedToThis: '{model} is being retired on this host and is closed to accounts that never activated it.',
  unknown:
    'The service does not offer {model} with this key: the ID is wrong, the model was retired, or it is closed to accounts that never activated it.',
  offered: '{successor} is available there.',
  free: 'Nothing was charged.',
  use: 'Use {successor} instead',
  used: 'Switched to {successor}. Check the size and price before you generate.',
  listed: 'According to the service, {when}.',
}
