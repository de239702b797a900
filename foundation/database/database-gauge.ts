/** Gauge of whether a process' database answers: Datanet hosts, model servers and factories have it. */
import { Gauge, type Registry } from "prom-client";
import type { Database } from "./database.ts";

/** The server is asked at each scrape, at most once a second. @param prefix of the process' metrics */
export function watchDatabase(
  registry: Registry,
  prefix: string,
  database: Pick<Database, "isReachable">,
): void {
  new Gauge({
    name: `${prefix}_database_up`,
    help: "1 while the database answers, else 0",
    registers: [registry],
    async collect() {
      this.set(Number(await database.isReachable()));
    },
  });
}
