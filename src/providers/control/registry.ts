import type { ProviderOrder } from '../../events/asks.ts';
import { bandwidth } from './bandwidth.ts';
import { infobip } from './infobip.ts';
import { jambonz } from './jambonz.ts';
import { plivo, vobiz } from './plivo.ts';
import type { ProviderApi } from './provider-api.ts';
import { telnyx } from './telnyx.ts';
import { signalwire, twilio } from './twilio.ts';
import { vonage } from './vonage.ts';

/** The REST APIs that are known, by the protocol of the provider's streams. */
const PROVIDER_APIS: { readonly [dialect: string]: ProviderApi } = {
  twilio,
  signalwire,
  telnyx,
  vonage,
  plivo,
  vobiz,
  bandwidth,
  infobip,
  jambonz,
};

export function providerApiOf(dialect: string): ProviderApi | undefined {
  return Object.hasOwn(PROVIDER_APIS, dialect) ? PROVIDER_APIS[dialect] : undefined;
}

/** Whether the provider of a protocol can be asked for this over REST at all. */
export function canOrder(dialect: string, action: ProviderOrder['action']): boolean {
  const api = providerApiOf(dialect);
  if (action === 'hang_up') return api?.hangUp !== undefined;
  return api?.[action] !== undefined;
}
