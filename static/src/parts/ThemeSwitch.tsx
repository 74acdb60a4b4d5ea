import { choose, useTheme, type Theme } from '../theme'
import { Icon, type IconName } from './Icon'

const CHOICES: [Theme, IconName, string][] = [
  ['light', 'sun', 'Light'],
  ['dark', 'moon', 'Dark'],
  ['system', 'system', 'As the system'],
]

/** Light, dark, or what the system says. */
export function ThemeSwitch() {
  const theme = useTheme()
  return (
    <div className="segments" role="group" aria-label="Theme">
      {CHOICES.map(([one, icon, label]) => (
        <button key={one} type="button" aria-pressed={theme === one} aria-label={label} title={label} onClick={() => choose(one)}>
          <Icon name={icon} size={14} />
        </button>
      ))}
    </div>
  )
}
