export const signals = {
  title: 'When a picture is ready',
  lead: 'Tells you while this tab is in the background. The title of the tab always shows what is running.',
  notification: 'Notification',
  notificationHint: 'One for all tabs, and none while you are looking at the studio.',
  denied: 'This browser blocks notifications from this site. Allow them in its site settings.',
  insecure: 'Browsers allow notifications only over HTTPS or on localhost.',
  unknown: 'This browser has no notifications for web pages.',
  sound: 'Sound',
  soundHint: 'Two short notes, which you hear when you switch it on.',
  more: '{count} still running',
  install: 'Install the studio',
  installHint:
    'As an app it has a window of its own, opens without a network, and takes photos that your phone shares.',
}
