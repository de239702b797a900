import "./factory.css";
import type { PageProps } from "../ledger/page.ts";
import { HereRun } from "./here-run.tsx";
import { HereStart } from "./here-start.tsx";

/** The ModelFactory: from a base and rows to a model of one's own. */
export function FactoryPage(props: PageProps) {
  const [place, id] = props.rest;
  if (place === "here") return id === undefined ? <HereStart /> : <HereRun key={id} id={id} />;
  return <p>…</p>;
}
