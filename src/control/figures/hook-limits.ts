import type { DeliveryStats } from '../../delivery/delivery.ts';

/** What the limits of delivery held back, and what it could not do. */
export function hookLimits(stats: DeliveryStats): { readonly [limit: string]: number } {
  return {
    hook_envelopes_in_memory: stats.spilledEnvelopes,
    hook_entries_in_memory: stats.fellBehind,
    hook_steps_aside: stats.steppedAside,
    hook_pauses: stats.pauses,
    hook_dead_letters: stats.dead,
    hook_parked_lanes: stats.parkedLanes,
    hook_overtakes: stats.overtakes,
    hook_requests_under_way: stats.inFlightWaits,
    hook_names_forgotten: stats.forgottenNames,
    hook_records_fenced: stats.fenced,
    hook_breaker_openings: stats.breakerOpenings,
    hook_endpoints_auto_disabled: stats.autoDisabled,
    hook_endpoints_unknown: stats.unknownEndpoints,
    hook_attempts_blocked: stats.blockedAttempts,
    hook_rows_vanished: stats.vanished,
    hook_rows_unread: stats.loadFailures + stats.readFailures,
    hook_records_failed: stats.recordFailures,
    hook_records_given_up: stats.unrecorded,
    hook_health_unsaved: stats.healthSaveFailures,
    hook_sockets_stale: stats.staleSockets,
    hook_names_unresolved: stats.dnsFailures,
    hook_addresses_forgotten: stats.dnsForgotten,
    hook_tokens_failed: stats.tokenFailures,
    hook_tokens_refused: stats.tokenRefusals,
    hook_tokens_forgotten: stats.tokensForgotten,
  };
}
