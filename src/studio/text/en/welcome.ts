export const welcome = {
  title: 'One key is enough',
  lead: 'webimgui sends your prompts to the image services and keeps the pictures on this server. Bring an API key for one of them; if you already have an account, it takes a minute.',
  choose: '1. Choose a service',
  doubaoAbout: 'Seedream of ByteDance, through Volcengine Ark. Strong at Chinese text, groups and up to 14 references.',
  qwenAbout:
    'Qwen-Image, Wan and Z-Image of Alibaba, through DashScope (Model Studio). Many models, some of them very cheap.',
  openaiAbout: 'GPT Image, or any service that speaks the same language; give its address under Keys.',
  getKey: '2. Get a key',
  doubaoSteps: 'Sign in to the Volcengine Ark console, create an API key, and activate the Seedream models (开通管理).',
  qwenSteps:
    'Sign in to Alibaba Cloud Model Studio and create an API key. Keys of Beijing and Singapore differ; this is for Beijing, others are set under Keys.',
  openaiSteps:
    'Create a key in the console of the service. For another address than that of OpenAI, add it under Keys.',
  openConsole: 'Open the console',
  paste: '3. Paste it here',
  key: 'API key',
  keyHint: 'It is sealed before it is stored, never shown again, and sent to that service only.',
  save: 'Test and save',
  testing: 'Testing…',
  saveAnyway: 'Save anyway',
  keyMissing: 'Paste the key first.',
  saved: 'It works. Draw something.',
  savedUntested: 'The key is stored.',
  have: 'A key is there already.',
  haveHint: 'You can create right away, or add another service.',
  start: 'Start creating',
  test_provider_key_rejected: 'The service does not know this key. Copy it once more, whole and without spaces.',
  test_wrong_address:
    'This key belongs to another region or service. Check where it was made; other regions are set under Keys.',
  test_provider_access_denied:
    'The key is right, but the account may not use the model yet. Activate it in the console.',
  test_provider_quota_exhausted: 'The key is right, but the account has no balance or quota left.',
  test_provider_unavailable:
    'The service could not be reached to test the key. You can save it and test it later under Keys.',
  promise: 'Never pays twice on its own. Never loses a picture you paid for.',
}
