/** The list of all keys, opened with `?`. */

import { Fragment } from 'react'
import { useMe } from '../data/tokens.ts'
import { type TextKey, useText } from '../text/text.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Kbd } from '../ui/states.tsx'
import { navigationItems } from './navigation.ts'

const sheet: {
  title: TextKey
  lines: { keys: readonly (readonly string[])[]; text: TextKey; isForAdmins?: boolean }[]
}[] = [
  {
    title: 'shell.shortcutsGoTo',
    lines: navigationItems.map(({ key, text, isForAdmins }) => ({ keys: [['g'], [key]], text, isForAdmins })),
  },
  {
    title: 'shell.shortcutsCreate',
    lines: [
      { keys: [['Ctrl / ⌘', 'Enter']], text: 'generate.press' },
      { keys: [['/']], text: 'shell.shortcutPrompt' },
      { keys: [['↑', '↓']], text: 'shell.shortcutEarlier' },
      { keys: [['Ctrl / ⌘', 'z']], text: 'shell.shortcutUndo' },
    ],
  },
  {
    title: 'shell.shortcutsGallery',
    lines: [
      { keys: [['←', '→', '↑', '↓']], text: 'shell.shortcutMove' },
      { keys: [['Enter']], text: 'shell.shortcutOpen' },
      { keys: [['Space']], text: 'shell.shortcutSelect' },
      { keys: [['Shift', 'Space']], text: 'shell.shortcutSelectTo' },
      { keys: [['Ctrl / ⌘', 'a']], text: 'shell.shortcutSelectAll' },
      { keys: [['/']], text: 'shell.shortcutSearch' },
      { keys: [['1–5', '0']], text: 'look.keyStars' },
      { keys: [['x']], text: 'look.reject' },
      { keys: [['f']], text: 'gallery.favorite' },
      { keys: [['l']], text: 'gallery.tag' },
      { keys: [['d']], text: 'shell.download' },
      { keys: [['Delete']], text: 'shell.delete' },
    ],
  },
  {
    title: 'shell.shortcutsPicture',
    lines: [
      { keys: [['←', '→']], text: 'shell.shortcutMove' },
      { keys: [['+', '−', '0', '1']], text: 'shell.shortcutZoom' },
      { keys: [['c']], text: 'look.holdReference' },
      { keys: [['x']], text: 'look.reject' },
      { keys: [['i']], text: 'picture.details' },
      { keys: [['r']], text: 'live.again' },
      { keys: [['e']], text: 'picture.edit' },
      { keys: [['f']], text: 'gallery.favorite' },
      { keys: [['d']], text: 'shell.download' },
      { keys: [['Delete']], text: 'shell.delete' },
    ],
  },
  {
    title: 'look.keysCull',
    lines: [
      {
        keys: [
          ['←', '→'],
          ['j', 'k'],
        ],
        text: 'shell.shortcutMove',
      },
      { keys: [['1–5', '0']], text: 'look.keyStars' },
      { keys: [['x']], text: 'look.reject' },
      { keys: [['f']], text: 'gallery.favorite' },
      { keys: [['a']], text: 'look.advance' },
      { keys: [['u']], text: 'look.keyUndo' },
    ],
  },
  {
    title: 'look.keysCompare',
    lines: [
      { keys: [['Space']], text: 'look.keyFlip' },
      { keys: [['v'], ['s']], text: 'look.keyModes' },
      { keys: [['a', 'b', 'c', 'd']], text: 'look.keyLetter' },
      { keys: [['+', '−', 'z']], text: 'look.keyZoom' },
      { keys: [['Shift', '←', '→', '↑', '↓']], text: 'look.keyPan' },
      { keys: [['1–5', '0']], text: 'look.keyStars' },
      { keys: [['Enter']], text: 'look.keyChoose' },
      { keys: [['u']], text: 'look.keyUndo' },
    ],
  },
  {
    title: 'shell.shortcutsAnywhere',
    lines: [
      { keys: [['?']], text: 'shell.shortcutHelp' },
      { keys: [['t']], text: 'shell.shortcutTheme' },
      { keys: [['Esc']], text: 'shell.shortcutClose' },
    ],
  },
]

export function ShortcutSheet({ onClose }: { onClose(): void }) {
  const t = useText()
  const me = useMe()
  const isAdmin = me?.role === 'admin'
  return (
    <Dialog onClose={onClose} title={t('shell.shortcuts')} size="large">
      <div className="gap-8 sm:columns-2">
        {sheet.map(part => (
          <section key={part.title} className="mb-6 break-inside-avoid">
            <h3 className="mb-2 text-ink-faint text-sm">{t(part.title)}</h3>
            <dl className="flex flex-col gap-2">
              {part.lines
                .filter(line => isAdmin || !line.isForAdmins)
                .map(line => (
                  <div key={line.text} className="flex items-center justify-between gap-4">
                    <dt>{t(line.text)}</dt>
                    <dd className="flex items-center gap-1 text-ink-faint text-xs">
                      {line.keys.map((together, index) => (
                        // biome-ignore lint/suspicious/noArrayIndexKey: the same key may come twice, and the order never changes
                        <Fragment key={`${index} ${together.join()}`}>
                          {index > 0 && t('shell.afterwards')}
                          {together.map(key => (
                            <Kbd key={key}>{key}</Kbd>
                          ))}
                        </Fragment>
                      ))}
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
