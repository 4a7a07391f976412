export const waiting = {
  nothing_can_be_stored: '图片暂时无法保存，所以先不发送。恢复后会自动继续。',
  sent_again: '服务方暂时没有接受，未计费。{time} 会自动重新发送。',
  result_out_of_reach: '服务方正在绘制，但暂时查不到结果。会自动再查。',
  answer_file_gone: '数据目录里的 {file} 不见了，服务方的回应就存在其中。请放回原处；如果不要这些图了，可以取消。',
  picture_not_stored: '图片已经画好，但还没保存下来。会自动再试。',
  not_recorded: '服务器暂时无法读写自己的数据。会自动再试。',
  server_fault: '服务器内部出错，原因见服务器日志。会自动再试。',
}
