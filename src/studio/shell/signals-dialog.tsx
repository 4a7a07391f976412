/** Whether and how one is told that a picture is there. */
import { MonitorDown } from 'lucide-react'
import { useState } from 'react'
import { type TextKey, useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Switch } from '../ui/switch.tsx'
import { installPrompt, registerWorker } from './installed.ts'
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
  const prompt = installPrompt.use()
  const canNotify = state === 'granted' || state === 'default'

  async function switchNotification(isOn: boolean) {
    if (!isOn) return changeSignals({ notification: false })
    const permission = await Notification.requestPermission()
    setState(permission)
    changeSignals({ notification: permission === 'granted' })
    // Phones show notifications of service workers alone.
    if (permission === 'granted' && matchMedia('(pointer: coarse)').matches) void registerWorker()
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
        {prompt && (
          <div className="flex flex-col items-start gap-2 border-line border-t pt-4">
            <p className="text-ink-faint text-sm">{t('signals.installHint')}</p>
            <Button icon={<MonitorDown aria-hidden className="size-4.5" />} onClick={() => void prompt.prompt()}>
              {t('signals.install')}
            </Button>
          </div>
        )}
      </div>
    </Dialog>
  )
}
