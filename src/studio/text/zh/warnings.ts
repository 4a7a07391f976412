import type { warnings as english } from '../en/warnings.ts'
import type { Words } from '../en.ts'

export const warnings: Words<typeof english> = {
  left_out: '{model} 没有“{parameter}”，已忽略。',
  prompt_cut: '{model} 只读提示词的前 {most} 个字，这次有 {length} 个，后面的被忽略。',
  negative_prompt_cut: '{model} 只读反向提示词的前 {most} 个字，这次有 {length} 个，后面的被忽略。',
  series_number: '{model} 按提示词决定画几张。请在提示词里写明张数，例如“生成 {images} 张……”，才能画满。',
  size_of_reference: '图片尺寸跟随参考图，所选尺寸已忽略。',
  story_without_reference: '没有参考图时，{model} 会生成图文故事，其中的图片都会保留。如需编辑图片，请添加参考图。',
  story_writes_itself: '“{parameter}”未发送：图文故事的文字由模型自行撰写。',
  needs_rewriting: '“{parameter}”未发送：只在扩写提示词时有效。',
  needs_plain_text: '“{parameter}”未发送：只在没有参考图、且不是组图时有效。',
  needs_reference: '“{parameter}”未发送：需要参考图。',
  needs_one_reference: '“{parameter}”未发送：需要恰好一张参考图，否则背景本来就不透明。',
  layers_without_seed: '“{parameter}”未发送：拆分图层不使用随机种子。',
  edit_without_moderation: '“{parameter}”未发送：只对文生图有效。',
  task_not_proven:
    '应答丢失，已采用 {model} 在该时段唯一的任务。如果这不是你要的图片，说明它来自同一账号下的其他程序；本次是否计费无法确定。',
  picture_damaged: '第 {number} 张图片每次取回都不完整，已保存其中最完整的一份。',
  picture_not_shown: '第 {number} 张图片的格式（{type}）无法在此显示，已原样保存，可以下载。',
  cap_without_price: '{model} 的价格未知，它的图片不计入{of}每月金额上限。',
  cap_in_other_currency: '{model} 以 {currency} 计价，不计入{of}每月金额上限（以 {cap_currency} 计）。',
  of_token: '令牌“{name}”的',
  of_configuration: '密钥“{name}”的',
  of_all: '本服务器的',
}
