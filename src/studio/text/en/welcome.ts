export const welcome = {
  title: 'One key is enough',
  lead: 'webimgui sends your prompts to image services and keeps the pictures on this server. All you need is an API key for one of them; if you already have an account, it takes a minute.',
  choose: '1. Choose a service',
  getKey: '2. Get a key',
  paste: '3. Paste it here',
  keyHint: 'It is encrypted before it is stored, never shown again, and sent only to that service.',
  keyMissing: 'Paste the key first.',
  saved: 'It works. Make a picture!',
  savedUntested: 'The key was saved.',
  have: 'There is a key already.',
  haveHint: 'You can start right away, or add another service.',
  start: 'Start creating',
  test_provider_key_rejected: 'The service does not recognise this key. Copy it again in full, without spaces.',
  test_wrong_address:
    'This key belongs to another region or service. Check where it was created; other regions are set up under Keys.',
  test_provider_access_denied:
    'The key is valid, but the account may not use the model yet. Activate it in the console.',
  test_provider_quota_exhausted: 'The key is valid, but the account has no balance or quota left.',
  test_provider_unavailable:
    'The service could not be reached to test the key. You can save it and test it later under Keys.',
  promise: 'Never pays twice by itself. Never loses a picture you paid for.',
}
