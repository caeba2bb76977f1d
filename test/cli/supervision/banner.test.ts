import { describe, expect, it } from 'vitest';
import { banner } from '../../../src/cli/supervision/banner.ts';
import { settingsOf } from '../../ops/manifests.ts';

function commandsOf(env: { readonly [name: string]: string }): string[] {
  const text = banner({ version: '0.1.0', settings: settingsOf(env), facts: {}, readyMs: 1 });
  return [...text.matchAll(/npx omnivoice (.*)/g)].map(([, command]) => command!);
}

describe('what to do next', () => {
  it('needs nothing more where everything is as commands expect it', () => {
    expect(commandsOf({})).toEqual(['call samples/hello.wav --as twilio', 'listen']);
  });

  it('says where the house is when it is elsewhere', () => {
    expect(commandsOf({ OMNIVOICE_PORT: '9000', OMNIVOICE_DATA_DIR: '/tmp/elsewhere' })).toContain(
      'listen --url http://127.0.0.1:9000 --data-dir /tmp/elsewhere',
    );
  });

  it('asks for a key where none is kept for the command line', () => {
    expect(commandsOf({ OMNIVOICE_HOST: '0.0.0.0' })).toContain('listen --key omf_live_…');
  });
});
