/** Each warning of the server by its `code`; `of_…` says whose cap it is. */
export const warnings = {
  left_out: '{model} has no "{parameter}"; it was left out.',
  prompt_cut: '{model} reads the first {most} characters of the prompt only; there are {length}.',
  negative_prompt_cut: '{model} reads the first {most} characters of the negative prompt only; there are {length}.',
  series_number:
    '{model} takes the number of pictures from the prompt. Name it there, such as "{images} pictures of…", to get them all.',
  size_of_reference: 'The picture follows the reference; the size was left out.',
  story_without_reference:
    'Without references {model} tells a story in text and pictures; the pictures are kept. Add a reference to edit it.',
  story_writes_itself: '“{parameter}” was not sent: the model itself writes the text of a story.',
  needs_rewriting: '“{parameter}” was not sent: it works only while the prompt is rewritten.',
  needs_plain_text: '“{parameter}” was not sent: it works only for pictures from text that are no series.',
  needs_reference: '“{parameter}” was not sent: it needs a reference.',
  needs_one_reference:
    '“{parameter}” was not sent: it needs exactly one reference; otherwise the background is opaque anyway.',
  layers_without_seed: '“{parameter}” was not sent: layers are made without a seed.',
  edit_without_moderation: '“{parameter}” was not sent: it works only for pictures from text.',
  task_not_proven:
    'The answer was lost, and the only task that {model} had at that time was taken for this one. If it is not your picture, another program of the account asked for it; whether yours was charged is not known.',
  picture_damaged: 'Picture {number} came damaged or cut short each time; the most that came of it is kept.',
  picture_not_shown:
    'Picture {number} came as a file that cannot be shown here ({type}). It is kept as it came; download it.',
  cap_without_price: 'No price is known for {model}, so its pictures do not count toward the monthly cap {of}.',
  cap_in_other_currency:
    '{model} is priced in {currency}, so it does not count in the monthly cap {of}, which is in {cap_currency}.',
  of_token: 'of the token “{name}”',
  of_configuration: 'of the key “{name}”',
  of_all: 'of this server',
}
