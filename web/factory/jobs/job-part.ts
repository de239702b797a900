/** Properties that every part of a job's page at the factory gets (training, chat, register …). */
import type { FactoryJob } from "@openledger/models/factory/factory-api";
import type { PageProps } from "../../ledger/page.ts";
import type { FactorySession } from "../factory-session.ts";
import type { FactoryQuery } from "../use-factory.ts";

/** Properties of each part of a job's page. */
export interface JobPartProps extends PageProps {
  readonly factorySession: FactorySession;
  readonly job: FactoryJob;
  readonly query: FactoryQuery<FactoryJob>;
}
