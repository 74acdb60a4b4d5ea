import { useState } from 'react'
import { isReference, makeSecret, shownSecret, typedSecret } from '../../forms/alert'
import { Copy } from '../Copy'
import { CheckField, Field } from './Field'

interface SigningSecretProps {
  /** Null: messages are not signed. */
  value: string | null
  /** As the server has it. */
  kept: string | null
  fault?: string | undefined
  onChange: (secret: string | null) => void
}

/** The secret that signs messages: typed, named by a reference, or made here and copied to the receiver. */
export function SigningSecret({ value, kept, fault, onChange }: SigningSecretProps) {
  const [made, setMade] = useState<string | null>(null)
  const shown = shownSecret(value, kept)
  // What was made here has to be read by the receiver too: it may be seen until it is saved.
  const open = (made !== null && shown === made) || isReference(shown)
  return (
    <div className="signing">
      <CheckField
        label="Sign the messages"
        help="The receiver can tell that they come from here. Receivers of Standard Webhooks ask for it."
        checked={value !== null}
        onChange={(on) => onChange(on ? (kept ?? '') : null)}
      />
      {value !== null && (
        <Field
          label="Signing secret"
          fault={fault}
          help={
            made !== null && shown === made ? (
              'Copy it to the receiver before you save: then it is encrypted and never shown again.'
            ) : (
              <>
                At least 16 characters, or <code>whsec_</code> and Base64. Kept encrypted and never shown again; <code>{'${NAME}'}</code> stands for a
                variable of the server.
              </>
            )
          }
        >
          {(control) => (
            <div className="with-button">
              <input
                {...control}
                className="field mono"
                type={open ? 'text' : 'password'}
                autoComplete="new-password"
                autoCapitalize="none"
                spellCheck={false}
                value={shown}
                placeholder={kept === null ? 'whsec_…' : 'set — leave empty to keep it'}
                onChange={(event) => onChange(typedSecret(event.target.value, kept))}
              />
              <button
                type="button"
                className="button"
                onClick={() => {
                  const secret = makeSecret()
                  setMade(secret)
                  onChange(secret)
                }}
              >
                Make one
              </button>
              {made !== null && shown === made && <Copy text={made} label="Copy it" />}
            </div>
          )}
        </Field>
      )}
    </div>
  )
}
