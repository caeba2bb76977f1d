import type { Lifetime } from '../../base/lifetime.ts';
import { publicUrlOf } from '../../config/addresses.ts';
import type { Region } from '../../config/region.ts';
import { ProviderControl } from '../../providers/control/provider-control.ts';
import { TransferTickets } from '../../providers/control/transfer-tickets.ts';
import type { Store } from '../../store/store.ts';
import type { ControlOptions } from '../control.ts';
import { HttpProviderWire } from './provider-wire.ts';

export interface ProviderParts {
  readonly store: Pick<Store, 'credentials'>;
  readonly lifetime: Lifetime;
  /** Where providers' own edges are near this region. */
  readonly edges: Region['providers'];
}

/** What control does with calls at their providers. */
export function openProviders(
  { settings, clock, log, version }: ControlOptions,
  { store, lifetime, edges }: ProviderParts,
): ProviderControl {
  const userAgent = `Omnivoice/${version}`;
  const wire = lifetime.own(new HttpProviderWire({ clock, egressAllow: settings.egressAllow, userAgent }));
  const transfers = new TransferTickets(settings.signingSecret, clock);
  const publicUrl = publicUrlOf(settings);
  const accounts = store.credentials;
  return new ProviderControl({ accounts, edges, wire, clock, transfers, publicUrl, log });
}
