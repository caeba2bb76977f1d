import { expect, it } from 'vitest';
import { TransferTickets } from '../../../src/providers/control/transfer-tickets.ts';
import { FakeClock } from '../../fakes/clock.ts';

const SECRET = Buffer.from('a signing secret of the house');
const OLD = Buffer.from('the signing secret before it');
const TRANSFER = { dialect: 'plivo', to: '+15550123', from: null };

it('is taken once, for what it was made for', () => {
  const tickets = new TransferTickets([SECRET], new FakeClock());
  const [ticket, another] = [tickets.mint(TRANSFER), tickets.mint({ ...TRANSFER, from: '+15550100' })];
  expect(tickets.take(ticket)).toEqual(TRANSFER);
  expect(tickets.take(ticket)).toBeUndefined();
  expect(tickets.take(another)).toEqual({ ...TRANSFER, from: '+15550100' });
  expect(tickets.mint(TRANSFER)).not.toBe(ticket);
});

it('is believed of an older secret, and of another host with the same', () => {
  const ticket = new TransferTickets([OLD], new FakeClock()).mint(TRANSFER);
  expect(new TransferTickets([SECRET, OLD], new FakeClock()).take(ticket)).toEqual(TRANSFER);
  expect(new TransferTickets([SECRET], new FakeClock()).take(ticket)).toBeUndefined();
});

it('is good for a minute', () => {
  const clock = new FakeClock();
  const tickets = new TransferTickets([SECRET], clock);
  const [early, late] = [tickets.mint(TRANSFER), tickets.mint(TRANSFER)];
  clock.advance(59_000);
  expect(tickets.take(early)).toEqual(TRANSFER);
  clock.advance(1_000);
  expect(tickets.take(late)).toBeUndefined();
});

it('is refused where anything of it was changed', () => {
  const tickets = new TransferTickets([SECRET], new FakeClock());
  const [body = '', mac = ''] = tickets.mint(TRANSFER).split('.');
  const dearer = Buffer.from(Buffer.from(body, 'base64url').toString().replace('+1555', '+1900'));
  for (const forged of [
    `${dearer.toString('base64url')}.${mac}`,
    body,
    `${body}.`,
    `.${mac}`,
    '',
    '.',
    `${body}.${mac}`.padEnd(5_000, 'x'),
  ]) {
    expect(tickets.take(forged), `for ${forged}`).toBeUndefined();
  }
  expect(tickets.take(`${body}.${mac}`)).toEqual(TRANSFER);
});

it('is not taken while more were used than can be remembered', () => {
  const clock = new FakeClock();
  const tickets = new TransferTickets([SECRET], clock);
  for (let i = 0; i < 10_000; i++) tickets.take(tickets.mint(TRANSFER));
  expect([tickets.take(tickets.mint(TRANSFER)), tickets.stats.refusedFull]).toEqual([undefined, 1]);
  clock.advance(60_000);
  expect(tickets.take(tickets.mint(TRANSFER))).toEqual(TRANSFER);
});
