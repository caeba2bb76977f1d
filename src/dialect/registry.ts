import type { Dialect } from './dialect.ts';
import { acsDialect } from './acs/dialect.ts';
import { asteriskDialect } from './asterisk/dialect.ts';
import { audioCodesDialect } from './audiocodes/dialect.ts';
import { audioSocketDialect } from './audiosocket/dialect.ts';
import { bandwidthDialect } from './bandwidth/dialect.ts';
import { exotelDialect } from './exotel/dialect.ts';
import { fonosterDialect } from './fonoster/dialect.ts';
import { genesysDialect } from './genesys/dialect.ts';
import { infobipDialect } from './infobip/dialect.ts';
import { jambonzDialect } from './jambonz/dialect.ts';
import { modAudioStreamDialect } from './mod-audio-stream/dialect.ts';
import { plivoDialect, vobizDialect } from './plivo/dialect.ts';
import { signalwireDialect } from './signalwire/dialect.ts';
import { sinchDialect } from './sinch/dialect.ts';
import { telnyxDialect } from './telnyx/dialect.ts';
import { nativeDialect } from './native/dialect.ts';
import { twilioDialect } from './twilio/dialect.ts';
import { vonageDialect } from './vonage/dialect.ts';
import { voximplantDialect } from './voximplant/dialect.ts';

/** Every protocol the house speaks. A new one is added here and nowhere else. */
export const DIALECTS: readonly Dialect[] = [
  nativeDialect,
  twilioDialect,
  signalwireDialect,
  telnyxDialect,
  plivoDialect,
  vobizDialect,
  bandwidthDialect,
  exotelDialect,
  fonosterDialect,
  vonageDialect,
  infobipDialect,
  jambonzDialect,
  modAudioStreamDialect,
  asteriskDialect,
  audioSocketDialect,
  genesysDialect,
  audioCodesDialect,
  acsDialect,
  voximplantDialect,
  sinchDialect,
];

/** The dialect of that name, as a path or a flag gives it. */
export function dialectOf(name: string): Dialect | undefined {
  return DIALECTS.find((dialect) => dialect.name === name);
}
