import { describe, expect, it } from 'vitest';
import { refuse } from '../../../src/base/errors.ts';
import type { ResumeClaims } from '../../../src/gateway/resume-token.ts';
import { Admission } from '../../../src/node/admission.ts';
import { withRoomFor } from '../../../src/node/door/returning-legs.ts';

const NOBODY = refuse('call_not_found', 'asked for');

function claimsOf(callId: string): ResumeClaims {
  return {
    callId,
    legId: 'leg_1',
    dialect: 'native',
    format: 'pcmu',
    generation: 1,
    region: 'local',
    fence: null,
    expiresAtUnixMs: 1,
  };
}

describe('a leg that comes back to a full node', () => {
  const admission = new Admission();
  let legs = 0;
  const resumes = withRoomFor(
    { resume: async () => NOBODY },
    {
      isHere: (callId) => callId === 'call_here',
      refuseReturn: () => admission.refusalOfReturn({ legs, capLegs: 10 }),
    },
  );

  it('is let in up to a fifth beyond the cap', async () => {
    legs = 11;
    expect(await resumes.resume(claimsOf('call_elsewhere'))).toBe(NOBODY);
    legs = 12;
    expect(await resumes.resume(claimsOf('call_elsewhere'))).toMatchObject({ fault: 'overloaded' });
    expect(admission.stats.returning_legs).toBe(1);
  });

  it('is always let in where its call is: it is among the legs already', async () => {
    legs = 99;
    expect(await resumes.resume(claimsOf('call_here'))).toBe(NOBODY);
  });
});
