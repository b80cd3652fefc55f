// From sign-ins to a matrix of people by applications and networks.

import type { Change, Result, SignIn } from "../engine/types.ts";

export interface Axis {
  key: string;
  label: string;
}

export interface Cell {
  person: Axis;
  application: Axis;
  network: Axis;
  signIns: SignIn[];
  /** The worst of them: who looks for trouble finds it. */
  worst: Result;
  before: Result | undefined;
  mixed: boolean;
  uncertain: boolean;
  changed: boolean;
}

export interface Column {
  application: Axis;
  network: Axis;
  key: string;
}

export interface Matrix {
  people: Axis[];
  columns: Column[];
  cells: Map<string, Cell>;
}

export const OUTCOMES = ["grant", "challenge", "block", "uncertain", "changed"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface Filter {
  /** Empty: any. */
  outcomes: Outcome[];
  text: string;
  /** Keys of axes; empty: all. */
  application: string;
  network: string;
  change: Change | undefined;
}

export const NOTHING_FILTERED: Filter = { outcomes: [], text: "", application: "", network: "", change: undefined };

type Name = (id: string) => string;
/** Nothing that an id could hold. */
const BETWEEN = "\u0000";

const SEVERITY: Record<Result, number> = { grant: 0, challenge: 1, block: 2 };
const worstOf = (results: Result[]): Result =>
  results.reduce((worst, result) => (SEVERITY[result] > SEVERITY[worst] ? result : worst), "grant");

/** What the axes of a sign-in are called. */
export function axes(signIn: SignIn, name: Name): { person: Axis; application: Axis; network: Axis } {
  const [person, application, network] = signIn.labels ?? [signIn.person, signIn.application, signIn.network];
  const axis = (key: string, label: string): Axis => ({ key, label: withNames(label, name) });
  return {
    person: axis(signIn.person, person),
    application: axis(signIn.application, application),
    network: axis(signIn.network, network),
  };
}

/** Labels that were made hold ids among other words. */
const withNames = (label: string, name: Name): string =>
  label
    .split(" ")
    .map((word) => name(word))
    .join(" ");

export function hasOutcome(signIn: SignIn, outcome: Outcome): boolean {
  switch (outcome) {
    case "uncertain":
      return signIn.after.uncertain;
    case "changed":
      return signIn.change !== undefined;
    default:
      return signIn.after.result === outcome;
  }
}

export function filtered(signIns: SignIn[], filter: Filter, name: Name): SignIn[] {
  const wanted = filter.text.trim().toLowerCase();
  return signIns.filter((signIn) => {
    if (filter.outcomes.length > 0 && !filter.outcomes.some((outcome) => hasOutcome(signIn, outcome))) return false;
    if (filter.application !== "" && signIn.application !== filter.application) return false;
    if (filter.network !== "" && signIn.network !== filter.network) return false;
    if (filter.change !== undefined && signIn.change !== filter.change) return false;
    if (wanted === "") return true;
    const { person, application, network } = axes(signIn, name);
    return [signIn.id, person.label, person.key, application.label, application.key, network.label, network.key].some(
      (text) => text.toLowerCase().includes(wanted),
    );
  });
}

const byLabel = (a: Axis, b: Axis) => a.label.localeCompare(b.label, "en", { numeric: true });

export function matrixOf(signIns: SignIn[], name: Name): Matrix {
  const people = new Map<string, Axis>();
  const columns = new Map<string, Column>();
  const cells = new Map<string, Cell>();
  for (const signIn of signIns) {
    const { person, application, network } = axes(signIn, name);
    const column = application.key + BETWEEN + network.key;
    people.set(person.key, person);
    if (!columns.has(column)) columns.set(column, { application, network, key: column });
    const known = cells.get(person.key + BETWEEN + column);
    if (known === undefined)
      cells.set(person.key + BETWEEN + column, {
        person,
        application,
        network,
        signIns: [signIn],
        worst: "grant",
        before: undefined,
        mixed: false,
        uncertain: false,
        changed: false,
      });
    else known.signIns.push(signIn);
  }
  for (const cell of cells.values()) {
    const results = cell.signIns.map((signIn) => signIn.after.result);
    cell.worst = worstOf(results);
    cell.mixed = new Set(results).size > 1;
    cell.uncertain = cell.signIns.some((signIn) => signIn.after.uncertain);
    cell.changed = cell.signIns.some((signIn) => signIn.change !== undefined);
    const before = cell.signIns.flatMap((signIn) => (signIn.before === undefined ? [] : [signIn.before.result]));
    cell.before = before.length > 0 ? worstOf(before) : undefined;
  }
  return {
    people: [...people.values()].sort(byLabel),
    columns: [...columns.values()].sort(
      (a, b) => byLabel(a.application, b.application) || byLabel(a.network, b.network),
    ),
    cells,
  };
}

export const cellAt = (matrix: Matrix, person: Axis | undefined, column: Column | undefined): Cell | undefined =>
  person === undefined || column === undefined ? undefined : matrix.cells.get(person.key + BETWEEN + column.key);
