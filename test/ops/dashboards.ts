import { MANIFESTS, readManifest } from './manifests.ts';

interface Source {
  readonly type: string;
  readonly uid: string;
}

export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource: Source;
}

export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  /** None of a row. */
  readonly id?: number;
  readonly description?: string;
  readonly datasource?: Source;
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly Target[];
  readonly links?: readonly { readonly title: string; readonly url: string }[];
}

export interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query: string | { readonly query: string };
}

/** A dashboard as Grafana reads it from a file. */
export interface Dashboard {
  readonly file: string;
  readonly id?: number;
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly links: readonly { readonly type: string; readonly tags: readonly string[] }[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
  readonly panels: readonly Panel[];
}

export const DASHBOARDS: readonly Dashboard[] = MANIFESTS.filter((path) =>
  path.startsWith('grafana/dashboards/'),
).map((path) => ({ ...(readManifest(path) as Omit<Dashboard, 'file'>), file: path }));

/** Everything that is asked of Prometheus by a dashboard, by whom. */
export function questionsOf({ uid, panels, annotations }: Dashboard): readonly {
  readonly who: string;
  readonly expr: string;
}[] {
  const shown = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr }) => ({ who: `${uid}, ${title}, ${refId}`, expr })),
  );
  return [...shown, ...annotations.list.map(({ name, expr }) => ({ who: `${uid}, ${name}`, expr }))];
}
