/** Whether and how one is told that a picture is there. */
import { useState } from 'react'
import { type TextKey, useText } from '../text/text.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Switch } from '../ui/switch.tsx'
import { changeSignals, notificationState, playSound, signals } from './signals.ts'

const hints: Record<ReturnType<typeof notificationState>, TextKey> = {
  default: 'signals.notificationHint',
  granted: 'signals.notificationHint',
  denied: 'signals.denied',
  insecure: 'signals.insecure',
  unknown: 'signals.unknown',
}

export function SignalsDialog({ onClose }: { onClose(): void }) {
  const t = useText()
  const { notification, sound } = signals.use()
  const [state, setState] = useState(notificationState)
  const canNotify = state === 'granted' || state === 'default'

  async function switchNotification(isOn: boolean) {
    if (!isOn) return changeSignals({ notification: false })
    const permission = await Notification.requestPermission()
    setState(permission)
    changeSignals({ notification: permission === 'granted' })
  }

  return (
    <Dialog title={t('signals.title')} description={t('signals.lead')} size="small" onClose={onClose}>
      <div className="flex flex-col gap-3 pt-2">
        <Switch
          label={t('signals.notification')}
          hint={t(hints[state])}
          isOn={notification && state === 'granted'}
          isDisabled={!canNotify}
          onChange={isOn => void switchNotification(isOn)}
        />
        <Switch
          label={t('signals.sound')}
          hint={t('signals.soundHint')}
          isOn={sound}
          onChange={isOn => {
            changeSignals({ sound: isOn })
            if (isOn) void playSound()
          }}
        />
      </div>
    </Dialog>
  )
}
