import { Type, type Static } from 'typebox';
import { languageOf } from '../../../providers/answers/languages.ts';
import { Nullable } from '../../answers.ts';
import type { StoredCredential } from '../../ports.ts';
import { readyConfiguration } from '../../ready-configuration.ts';
import { Reference, type RouteContext } from '../route-context.ts';

const Secret = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description }));

const Verify = Type.Object(
  {
    auth_token: Secret('with which the provider signs its upgrade (Twilio, Plivo)'),
    signature_secret: Secret('signs the upgrade (Vonage: signature secret; Genesys: client secret, base64)'),
    api_key: Secret('sent as it is in a header of the protocol (Genesys: X-API-KEY; Telnyx: its auth token)'),
    public_key: Secret('checks what the provider signs of its webhooks (Telnyx: Ed25519, base64)'),
    audience: Secret('for whom the provider’s own JWT must be (Azure: the resource’s immutable id)'),
    keys_url: Type.Optional(
      Type.String({
        maxLength: 1024,
        pattern: '^https?://[^\\s]+$',
        description: 'where the keys of that JWT are, when not at the provider’s public address',
      }),
    ),
    bearer: Secret('`Authorization: Bearer …`'),
    basic: Type.Optional(
      Type.Object(
        // RFC 7617 §2: the first colon ends the user's name.
        {
          username: Type.String({ maxLength: 256, pattern: '^[^:]+$' }),
          password: Type.String({ minLength: 1, maxLength: 256 }),
        },
        { additionalProperties: false, description: '`Authorization: Basic …`' },
      ),
    ),
    ip_allow: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 100 })),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    description: 'how the provider proves itself; all must hold',
  },
);

const Options = Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 64 }), {
  maxProperties: 32,
  description: 'unconfirmed facts of the protocol’s wire (docs/dialects.md), where they are not its defaults',
});

const Control = Type.Object(
  {
    base_url: Type.Optional(Type.String({ maxLength: 1024, pattern: '^https?://[^\\s]+$' })),
    account: Type.String({ minLength: 1, maxLength: 256 }),
    secret: Type.String({ minLength: 1, maxLength: 4096 }),
  },
  {
    additionalProperties: false,
    description: 'the provider’s REST account: hang-up, phone transfer, redirect',
  },
);

export const CredentialWish = Type.Object(
  {
    dialect: Type.String({ maxLength: 32 }),
    agent_id: Type.Optional(Nullable(Reference)),
    label: Type.Optional(Nullable(Reference)),
    verify: Type.Optional(Verify),
    options: Type.Optional(Options),
    control: Type.Optional(Control),
  },
  { additionalProperties: false },
);

export const CredentialChange = Type.Object({ control: Nullable(Control) }, { additionalProperties: false });

export const Credential = Type.Object({
  id: Type.String(),
  dialect: Type.String(),
  agent_id: Nullable(Type.String()),
  label: Nullable(Type.String()),
  test_mode: Type.Boolean(),
  verify: Type.Array(Type.String(), { description: 'what is checked beside the path' }),
  options: Type.Record(Type.String(), Type.String()),
  control: Nullable(Type.Object({ base_url: Nullable(Type.String()), account: Type.String() })),
  created_at: Type.String(),
});

export const FreshCredential = Type.Interface([Credential], {
  url: Type.String({ description: 'what the provider connects to; shown this once' }),
  credential: Type.String(),
  answer_url: Type.Optional(
    Type.String({ description: 'what the provider asks when a call comes in; shown this once' }),
  ),
  status_url: Type.Optional(Type.String({ description: 'where the provider tells what became of a call' })),
  configuration: Type.Optional(
    Type.Object(
      { kind: Type.String(), text: Type.String() },
      { description: 'what the provider is given: TwiML, TeXML, NCCO …; secrets are in it, shown this once' },
    ),
  ),
  twiml: Type.Optional(Type.String({ description: 'for Twilio: connects the call to this URL' })),
});

/** A credential as it may always be shown: what it is checked by, and none of its secrets. */
export function credentialView(credential: StoredCredential): Static<typeof Credential> {
  const { control } = credential;
  return {
    id: credential.id,
    dialect: credential.dialect,
    agent_id: credential.agentId,
    label: credential.label,
    test_mode: credential.testMode,
    verify: Object.keys(credential.verify ?? {}),
    options: credential.options ?? {},
    control: control === undefined ? null : { base_url: control.base_url ?? null, account: control.account },
    created_at: credential.createdAt,
  };
}

/** A credential just made, with what is shown this once. */
export function freshCredentialView(
  credential: StoredCredential,
  secret: string,
  { settings }: RouteContext,
): Static<typeof FreshCredential> {
  const url = `${settings.mediaUrl().replace(/\/$/, '')}/media/${credential.dialect}/${secret}`;
  const configuration = readyConfiguration(credential.dialect, url, credential);
  const asked = askedUrls(credential.dialect, secret, settings);
  const view = { ...credentialView(credential), url, credential: secret, ...asked };
  if (configuration === undefined) return view;
  const twiml = credential.dialect === 'twilio' ? { twiml: configuration.text } : {};
  return { ...view, configuration, ...twiml };
}

/** Where a provider that asks for a document finds it. */
function askedUrls(dialect: string, secret: string, { publicUrl }: RouteContext['settings']) {
  if (languageOf(dialect) === undefined) return {};
  const urlOf = (what: string): string =>
    `${publicUrl.replace(/\/$/, '')}/api/v1/voice/${what}/${dialect}/${secret}`;
  return { answer_url: urlOf('answer'), status_url: urlOf('status') };
}
