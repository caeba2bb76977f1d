import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CALL_EVENT_TYPES, isSelected } from '../../src/events/catalogue.ts';

describe('a subscriber’s filter', () => {
  it('lets everything pass when it is empty or a star', () => {
    expect(isSelected('voice_detected', [])).toBe(true);
    expect(isSelected('voice_detected', ['*'])).toBe(true);
  });

  it('takes exact names', () => {
    expect(isSelected('voice_detected', ['voice_ended', 'voice_detected'])).toBe(true);
    expect(isSelected('voice_detected', ['voice'])).toBe(false);
  });

  it('takes families, with underscores and with dots', () => {
    expect(isSelected('call_completed', ['call.*'])).toBe(true);
    expect(isSelected('ticket.created', ['ticket.*'])).toBe(true);
    expect(isSelected('leg_connected', ['call.*'])).toBe(false);
    expect(isSelected('callback.created', ['call.*'])).toBe(false);
  });
});

it('every event of a call is told of in the docs', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../docs/events.md'), 'utf8');
  expect(CALL_EVENT_TYPES.filter((type) => !page.includes(`\`${type}\``))).toEqual([]);
});
