/**
 * Who a leg is in its call (calls.md): the person who called, software, an operator, somebody who listens
 * in.
 */
export type LegRole = 'caller' | 'agent' | 'human' | 'supervisor';
