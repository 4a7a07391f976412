export const caps = {
  overImages: '您本月还可生成 {left} 张，这次需要 {wanted} 张。{day}重新计算。',
  usedUpImages: '您本月的图片张数已用完，{day}重新计算；如需更多，请联系管理员。',
  overMoney: '您本月还剩 {left}，这次可能需要 {wanted}。{day}重新计算。',
  usedUpMoney: '您本月的预算已用完，{day}重新计算；如需更多，请联系管理员。',
  refused_token:
    '未发送，也不会产生费用：您的令牌本月还剩 {left}，不足以完成这次请求。请减少数量、等到 {day}，或联系管理员。',
  refused_user: '未发送，也不会产生费用：您本月还剩 {left}，不足以完成这次请求。请减少数量、等到 {day}，或联系管理员。',
  refused_configuration:
    '未发送，也不会产生费用：这个密钥本月还剩 {left}，不足以完成这次请求。请换用其他服务的模型、等到 {day}，或联系管理员。',
  refused_environment:
    '未发送，也不会产生费用：这个密钥本月还剩 {left}，不足以完成这次请求。请换用其他服务的模型、等到 {day}，或请服务器管理者调高 {variable}。',
  refused_session: '未发送，也不会产生费用：本次会话的费用上限还剩 {left}，不足以完成这次请求。请减少数量。',
  refused_all:
    '未发送，也不会产生费用：这台服务器本月还剩 {left}，不足以完成这次请求。请减少数量、等到 {day}，或请服务器管理者调高 {variable}。',
}
