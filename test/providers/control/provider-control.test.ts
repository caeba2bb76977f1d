import { describe, expect, it } from 'vitest';
import type { ProviderOrder } from '../../../src/events/asks.ts';
import { AccountPace } from '../../../src/providers/control/account-pace.ts';
import { ProviderControl } from '../../../src/providers/control/provider-control.ts';
import { canOrder } from '../../../src/providers/control/registry.ts';
import { TransferTickets } from '../../../src/providers/control/transfer-tickets.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { openProvider, ProviderHouse, type FakeProvider } from './provider-house.ts';

const TRANSFERS = {
  transfers: new TransferTickets([Buffer.from('a signing secret of the house')], new FakeClock()),
  publicUrl: 'https://voice.example.com',
};

const HANG_UP: ProviderOrder = { action: 'hang_up' };
const ASK = {
  workspace_id: 'ws_1',
  credential_id: 'sc_1',
  dialect: 'twilio',
  provider_call_id: 'CA1',
  order: HANG_UP,
};

async function openHouse(): Promise<{ provider: FakeProvider; house: ProviderHouse }> {
  const provider = await openProvider();
  const control = { account: 'AC1', secret: 'rest-secret', base_url: provider.url };
  return { provider, house: new ProviderHouse({ dialect: 'twilio', control }) };
}

describe('an order to a provider', () => {
  it.each([
    [401, 'failed_precondition'],
    [404, 'call_not_found'],
    [409, 'conflict'],
    [400, 'failed_precondition'],
    [500, 'unavailable'],
  ] as const)('that is answered with %i fails with %s, once', async (status, fault) => {
    const { provider, house } = await openHouse();
    provider.answers = [{ status, body: '{"message":"no"}' }];
    expect(await house.carriesOut(HANG_UP, 'CA1')).toMatchObject({ fault });
    expect([provider.heard.length, house.control.stats.failed]).toEqual([1, 1]);
  });

  it.each([429, 503])('that is answered with %i goes out a second time', async (status) => {
    const { provider, house } = await openHouse();
    provider.answers = [{ status }, { status: 200 }];
    expect(await house.carriesOut(HANG_UP, 'CA1')).toBeUndefined();
    expect([provider.heard.length, house.control.stats]).toMatchObject([2, { repeated: 1, done: 1 }]);
  });

  it('says what the provider said, shortly, and never the secret', async () => {
    const { provider, house } = await openHouse();
    provider.answers = [{ status: 400, body: `bad\nrest-secret ${'x'.repeat(5000)}` }];
    const refusal = await house.carriesOut(HANG_UP, 'CA1');
    expect(refusal?.detail).toMatch(/^the provider answered 400: bad … x+…$/);
    expect(refusal!.detail.length).toBeLessThan(260);
    expect(house.lines.join()).not.toContain('rest-secret');
    expect(house.lines.join()).not.toContain(provider.url);
  });

  it('goes nowhere the guard forbids, whatever the account says', async () => {
    const provider = await openProvider();
    const control = { account: 'AC1', secret: 's', base_url: provider.url };
    const house = new ProviderHouse({ dialect: 'twilio', control }, []);
    expect(await house.carriesOut(HANG_UP, 'CA1')).toMatchObject({ fault: 'failed_precondition' });
    expect([provider.heard.length, house.control.stats.blocked]).toEqual([0, 1]);
  });

  it('needs an account, an API that is known, and a means', async () => {
    const control = { account: 'a', secret: 's', base_url: 'http://127.0.0.1:9' };
    const houses = [new ProviderHouse(undefined), new ProviderHouse({ dialect: 'asterisk', control })];
    for (const house of houses) {
      expect(await house.carriesOut(HANG_UP, 'CA1')).toMatchObject({ fault: 'failed_precondition' });
    }
    const infobip = new ProviderHouse({ dialect: 'infobip', control });
    const transfer = { action: 'transfer', to: '+15550123', from: null } as const;
    expect(await infobip.carriesOut(transfer, 'c')).toMatchObject({
      detail: expect.stringContaining('no means to transfer'),
    });
    expect([canOrder('infobip', 'transfer'), canOrder('twilio', 'transfer')]).toEqual([false, true]);
    expect([canOrder('constructor', 'hang_up'), canOrder('asterisk', 'hang_up')]).toEqual([false, false]);
  });

  it('escapes what a provider’s call is named, so that it names nothing else', async () => {
    const { provider, house } = await openHouse();
    await house.carriesOut(HANG_UP, '../../Accounts/AC2?x=1#');
    expect(provider.heard[0]!.path).toBe(
      '/2010-04-01/Accounts/AC1/Calls/..%2F..%2FAccounts%2FAC2%3Fx%3D1%23.json',
    );
  });

  it('fails, and throws nothing, while the accounts cannot be read', async () => {
    const control = new ProviderControl({
      accounts: { controlOf: () => Promise.reject(new Error('the database is away')) },
      wire: { send: () => Promise.reject(new Error('nothing is to be sent')) },
      clock: new FakeClock(),
      ...TRANSFERS,
      log: { info: () => {}, warn: () => {} },
    });
    expect(await control.carryOut(ASK)).toMatchObject({ fault: 'unavailable' });
  });

  it('that nobody answers is given up at its deadline, and is not put again', async () => {
    const clock = new FakeClock();
    const limits: number[] = [];
    const control = new ProviderControl({
      accounts: {
        controlOf: () => Promise.resolve({ dialect: 'auto', control: { account: 'a', secret: 's' } }),
      },
      wire: {
        send: (_, timeLimitMs) => {
          limits.push(timeLimitMs);
          return Promise.resolve({ type: 'lost', detail: 'the time allowed was over' });
        },
      },
      clock,
      ...TRANSFERS,
      log: { info: () => {}, warn: () => {} },
    });
    expect(await control.carryOut(ASK)).toMatchObject({ fault: 'unavailable' });
    expect(limits).toEqual([5000]);
  });
});

describe('the pace of an account', () => {
  it('is fifty a second, irregular, and refuses beyond four seconds of waiting', () => {
    const clock = new FakeClock({ seed: 7 });
    const pace = new AccountPace();
    const dice = (): number => clock.randomBytes(4).readUInt32BE() / 0x1_0000_0000;
    const waits: number[] = [];
    for (;;) {
      const waitMs = pace.turnOf('AC1', 0, dice());
      if (waitMs === undefined) break;
      waits.push(waitMs);
    }
    expect(waits[0]).toBe(0);
    expect(waits.filter((waitMs) => waitMs < 1000).length).toBeGreaterThan(40);
    expect(waits.filter((waitMs) => waitMs < 1000).length).toBeLessThan(60);
    expect(waits.length).toBeGreaterThan(170);
    expect(waits.length).toBeLessThan(240);
    const gaps = waits.slice(1).map((waitMs, index) => waitMs - waits[index]!);
    expect(new Set(gaps.map(Math.round)).size).toBeGreaterThan(5);
    expect(pace.turnOf('AC2', 0, 0)).toBe(0);
    expect(pace.turnOf('AC1', 5000, 0)).toBe(0);
  });

  it('is kept for a thousand accounts, and those forgotten are counted', () => {
    const pace = new AccountPace();
    for (let i = 0; i < 1000; i++) pace.turnOf(`AC${i}`, 0, 1);
    expect([pace.turnOf('AC0', 0, 1), pace.stats.forgottenAccounts]).toEqual([30, 0]);
    pace.turnOf('one more', 0, 1);
    expect([pace.turnOf('AC1', 0, 1), pace.stats.forgottenAccounts]).toEqual([0, 2]);
  });
});
