import { expect, it } from 'vitest';
import { DIALECTS } from '../../src/dialect/registry.ts';
import { termsOf } from '../../src/dialect/terms.ts';
import { oddDialect } from '../fakes/odd-dialect.ts';

const byteOrder = {
  name: 'order',
  values: ['little', 'big'],
  fallback: 'little',
  meaning: 'which byte is first',
};

it('tells what may be set of each dialect, and of the one that is found out all of it', () => {
  const one = { ...oddDialect({ proofs: ['api_key'] }), name: 'one', options: [byteOrder] };
  const two = {
    ...oddDialect({ proofs: ['api_key', 'auth_token'] }),
    name: 'two',
    options: [{ ...byteOrder, values: ['big', 'native'] }],
  };
  expect(termsOf([one, two])).toMatchObject([
    { name: 'one', proofs: ['api_key'] },
    { name: 'two', proofs: ['api_key', 'auth_token'] },
    {
      name: 'auto',
      proofs: ['api_key', 'auth_token'],
      options: [{ name: 'order', values: ['little', 'big', 'native'] }],
    },
  ]);
});

it('has terms for every dialect', () => {
  const names = termsOf(DIALECTS).map(({ name }) => name);
  expect(names).toEqual([...DIALECTS.map(({ name }) => name), 'auto']);
});
