import type { Refusal } from '../../base/errors.ts';
import type { Resumes } from '../../gateway/door/admission.ts';

export interface ReturningLegsOptions {
  /** Whether the call is here: its legs are counted already. */
  readonly isHere: (callId: string) => boolean;
  /** Why no leg of another node's call may come in just now, if so. */
  readonly refuseReturn: () => Refusal | undefined;
}

/** As `resumes`; but legs of other nodes' calls come in only where there is room for them. */
export function withRoomFor(resumes: Resumes, { isHere, refuseReturn }: ReturningLegsOptions): Resumes {
  return {
    // Asked before the call is brought here: its leg is to go on to a node that has room.
    resume: async (claims) => {
      const refusal = isHere(claims.callId) ? undefined : refuseReturn();
      return refusal ?? resumes.resume(claims);
    },
  };
}
