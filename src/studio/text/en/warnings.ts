/** Each warning of the server by its `code`; `of_…` says whose cap it is. */
export const warnings = {
  left_out: '{model} has no "{parameter}", so it was left out.',
  size_fitted: '{model} has no size {asked}, so the picture was made in the nearest one, {size}.',
  prompt_cut: '{model} reads only the first {most} characters of the prompt, which has {length}.',
  negative_prompt_cut: '{model} reads only the first {most} characters of the negative prompt, which has {length}.',
  series_number:
    '{model} takes the number of pictures from the prompt. State it there, for example "{images} pictures of…", to get them all.',
  size_of_reference: 'The picture takes the size of the reference; the size setting was left out.',
  story_without_reference:
    'Without references, {model} tells a story in text and pictures; only the pictures are kept. Add a reference to edit it instead.',
  story_writes_itself: '“{parameter}” was not sent: the model writes the text of a story itself.',
  needs_rewriting: '“{parameter}” was not sent: it only works while the prompt is being rewritten.',
  needs_plain_text: '“{parameter}” was not sent: it only works for text-to-image requests that are not a series.',
  needs_reference: '“{parameter}” was not sent: it needs a reference.',
  needs_one_reference:
    '“{parameter}” was not sent: it needs exactly one reference; otherwise the background is opaque anyway.',
  layers_without_seed: '“{parameter}” was not sent: layers are made without a seed.',
  edit_without_moderation: '“{parameter}” was not sent: it only works for text-to-image requests.',
  task_not_proven:
    'The answer was lost, and the only task that {model} had at that time was taken to be this one. If it is not your picture, another program using the account asked for it; whether yours was charged is not known.',
  picture_damaged: 'Picture {number} arrived damaged or incomplete every time; the most complete version is kept.',
  picture_not_shown:
    'Picture {number} arrived as a file that cannot be shown here ({type}). It is kept as it came; download it to open it.',
  cap_without_price: 'The price of {model} is unknown, so its pictures do not count towards the monthly cap {of}.',
  cap_in_other_currency:
    '{model} is priced in {currency}, so it does not count towards the monthly cap {of}, which is in {cap_currency}.',
  of_token: 'of the token “{name}”',
  of_user: 'of {name}',
  of_configuration: 'of the key “{name}”',
  of_all: 'of this server',
}
