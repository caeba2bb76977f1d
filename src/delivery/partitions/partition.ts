import { crc32 } from 'node:zlib';

/** Into how many parts the work of a fleet is split; part of what is stored, so never changed. */
export const PARTITIONS = 64;

/** The part an event's resource belongs to; every process of a fleet says the same. */
export function partitionOf(resourceId: string): number {
  return crc32(resourceId) % PARTITIONS;
}
