import type { life as english } from '../en/life.ts'
import type { Words } from '../en.ts'

export const life: Words<typeof english> = {
  new: '新模型',
  newHint: '服务方已提供，但本程序尚未收录，因此只发送同系列通用的参数。',
  endsShort: '{day}下线',
  endsSomeShort: '即将下线',
  endedShort: '已下线',
  notServedShort: '此地址没有',
  notServed: '您的密钥所在的地址似乎不提供 {model}。仍会发送请求，被拒绝不收费。',
  endsOn: '{model} 将于{day}在此平台下线。',
  ends: '{model} 将在此平台下线，日期未知。',
  closed: '从未开通过的账号已无法再开通。',
  endedOn: '{model} 已于{day}在此平台下线。',
  ended: '{model} 已在此平台下线。',
  stillSent: '请求仍会照常发送，被拒绝不收费。',
  successor: '可改用 {successor}。',
  closedToThis: '{model} 正在此平台下线，从未开通过的账号已无法使用。',
  unknown: '服务方没有向此密钥提供 {model}：可能是模型 ID 有误、模型已下线，或不再对未开通过的账号开放。',
  offered: '该平台可用 {successor}。',
  free: '没有产生费用。',
  use: '改用 {successor}',
  used: '已改用 {successor}，生成前请留意尺寸和价格。',
  listed: '以上信息由服务方提供，查询于{when}。',
}
