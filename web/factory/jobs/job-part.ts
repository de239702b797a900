import type { FactoryJob } from "@openledger/models/factory/factory-api";
import type { PageProps } from "../../ledger/page.ts";
import type { FactoryDesk } from "../factory-desk.ts";
import type { Asked } from "../use-factory.ts";

/** What each part of a job's page is given. */
export interface JobPartProps extends PageProps {
  readonly desk: FactoryDesk;
  readonly job: FactoryJob;
  readonly asked: Asked<FactoryJob>;
}
