import { describe, expect, it } from 'vitest';
import { infobipDialect } from '../../../src/dialect/infobip/dialect.ts';
import { l16 } from '../../../src/media/format.ts';
import { NO_UPGRADE, openInbound, openLine, textBytes } from '../wire.ts';

function start(message: object, options = {}) {
  const session = infobipDialect.openSession({ nowMs: 0, upgrade: NO_UPGRADE, options });
  return session.read(textBytes({ event: 'websocket:connected', ...message }), false, openInbound());
}

describe('Infobip', () => {
  it('is unverified, and neither clears nor marks', () => {
    expect(infobipDialect.capabilities).toMatchObject({ unverified: true, clear: false, marks: false });
    const { caller } = openLine(infobipDialect);
    for (const text of ['{"action":"clear"}', '{"action":"notify","payload":{"id":"m1"}}']) {
      expect(caller.read(textBytes(text), false, openInbound()).type).toBe('refusal');
    }
  });

  it('has the rate that it says, else that of the option', () => {
    expect(start({ 'content-type': 'audio/l16;rate=8000' })).toMatchObject({ inbound: l16(8000) });
    expect(start({})).toMatchObject({ inbound: l16(16_000) });
    expect(start({}, { sample_rate: '8000' })).toMatchObject({ inbound: l16(8000), outbound: l16(8000) });
  });

  it('has the byte order of the option, both ways', () => {
    const options = { l16_byte_order: 'big' };
    const big = { inbound: l16(16_000, false), outbound: l16(16_000, false) };
    expect(start({ 'content-type': 'audio/l16;rate=16000' }, options)).toMatchObject(big);
    expect(start({}, options)).toMatchObject(big);
  });
});
