export const signals = {
  title: '图片完成时',
  lead: '在您切到别的标签页时提醒您。标签页标题始终显示进行中的数量。',
  notification: '通知',
  notificationHint: '打开多个标签页也只提醒一次；正在看工作室时不提醒。',
  denied: '浏览器已禁止本站发送通知，请在网站设置中允许。',
  insecure: '只有通过 HTTPS 或在本机（localhost）访问时，浏览器才允许通知。',
  unknown: '这个浏览器不支持网页通知。',
  sound: '提示音',
  soundHint: '两声短音，打开开关时会试播一次。',
  more: '还有 {count} 个进行中',
  install: '安装工作室',
  installHint: '装成应用后有自己的窗口，断网也能打开；手机上的照片可以直接“分享”过来当参考图。',
}
