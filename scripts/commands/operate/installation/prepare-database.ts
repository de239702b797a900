/**
 * `openledger operator prepare-database`: makes the tables of all services, or brings them to this version, and gives each service
 * its role. Run it as the role that owns the tables; the services' own may write rows, and nothing else.
 */
import { existsSync } from "node:fs";
import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { HOST_PART } from "@openledger/datanets/store/host-schema";
import { readAddress } from "@openledger/foundation/database/address";
import { Database } from "@openledger/foundation/database/database";
import { JOBS, workerRights } from "@openledger/foundation/database/job-tables";
import type { DatabasePart } from "@openledger/foundation/database/migrate";
import { DATABASE_SETTINGS, openDatabase } from "@openledger/foundation/database/open-database";
import { makeRole, type Rights, rowRights } from "@openledger/foundation/database/roles";
import { createLogger } from "@openledger/foundation/logger";
import { readSecretFile } from "@openledger/foundation/secret-file";
import {
  type Environment,
  readConfig,
  SHARED_PREFIX,
  SHARED_SETTINGS,
} from "@openledger/foundation/settings";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import {
  FACTORY_PART,
  FACTORY_QUEUES,
  FACTORY_WORKER_RIGHTS,
} from "@openledger/models/factory/store/factory-schema";
import { openTicketQueues } from "@openledger/models/factory/store/job-tickets";
import { ANSWERS_PART } from "@openledger/models/serving/answers/answer-store";
import { KEYS_PART } from "@openledger/models/serving/api-keys";
import { openSettlingQueue } from "@openledger/models/settling/daemon/settling-queue";
import { openProofQueue, PROOF_QUEUE } from "@openledger/prover/queue/prove-queue";
import { DATABASE_SERVICES, type DatabaseService, databasePaths } from "./installation.ts";

/** A part of the database, and whether its data are of one rollup. */
interface OwnedPart {
  readonly part: DatabasePart;
  readonly isOfRollup: boolean;
}
const DATANETS: OwnedPart = { part: HOST_PART, isOfRollup: true };
const ANSWERS: OwnedPart = { part: ANSWERS_PART, isOfRollup: true };
const FACTORY: OwnedPart = { part: FACTORY_PART, isOfRollup: true };
const KEYS: OwnedPart = { part: KEYS_PART, isOfRollup: false };
const QUEUES: OwnedPart = { part: JOBS, isOfRollup: false };

/** Parts that a service uses. */
const PARTS: Readonly<Record<DatabaseService, readonly OwnedPart[]>> = {
  sequencer: [QUEUES],
  prover: [QUEUES],
  "datanet-host": [DATANETS],
  models: [KEYS, ANSWERS, QUEUES],
  factory: [FACTORY, ANSWERS, QUEUES],
  "factory-worker": [FACTORY, QUEUES],
};

/** Rights of services that take jobs and put none. */
const WORKERS: Readonly<Partial<Record<DatabaseService, Rights>>> = {
  prover: workerRights([PROOF_QUEUE]),
  "factory-worker": [...workerRights(FACTORY_QUEUES), ...FACTORY_WORKER_RIGHTS],
};

const rightsOf = (service: DatabaseService): Rights =>
  WORKERS[service] ?? PARTS[service].flatMap(({ part }) => rowRights(part));

/** Opens each queue, which makes it where it is missing. */
const QUEUE_OPENERS = [openProofQueue, openSettlingQueue, openTicketQueues];

export interface PrepareOptions {
  readonly deploymentPath: string;
  /** Folder with the services' addresses, as `operator init --cluster` has written it. */
  readonly folder: string;
}

/**
 * @returns the services that have a role now: those whose address is in the folder
 * @throws SRV_CONFIG_INVALID, CIR_SECRET_FILE, CIR_DEPLOYMENT_INVALID, SRV_DATABASE_…, SRV_WRONG_DATABASE
 */
export async function prepareDatabase(
  { deploymentPath, folder }: PrepareOptions,
  environment: Environment,
): Promise<DatabaseService[]> {
  const settings = { ...DATABASE_SETTINGS, logLevel: SHARED_SETTINGS.logLevel };
  const config = readConfig(SHARED_PREFIX, { settings, fixed: {} }, environment);
  const logger = createLogger("operator", config.logLevel, process.stderr);
  const { chainId, deployedIn, rollupAddress } = loadDeployment(deploymentPath);
  const rollupOf = ({ isOfRollup }: OwnedPart): StoreRollup | null =>
    isOfRollup ? { chainId, rollupAddress, deployedIn } : null;
  const { urlOf } = databasePaths(folder);
  const services = DATABASE_SERVICES.filter((service) => existsSync(urlOf(service)));
  for (const owned of [DATANETS, ANSWERS, KEYS, FACTORY])
    await (await openDatabase(config, { part: owned.part, rollup: rollupOf(owned), logger })).close();
  for (const openQueue of QUEUE_OPENERS) await (await openQueue(config, { logger, migrates: true })).close();
  const database = await openDatabase(config, { part: JOBS, rollup: null, logger });
  try {
    for (const service of services) {
      const { password, user } = readAddress(readSecretFile(urlOf(service)));
      await makeRole(database, { name: user ?? "", password: password ?? "", rights: rightsOf(service) });
    }
  } finally {
    await database.close();
  }
  // Whether each role finds its tables at the address that its service will use.
  for (const service of services) {
    const url = readSecretFile(urlOf(service));
    for (const owned of PARTS[service]) {
      const options = { url, part: owned.part, rollup: rollupOf(owned), logger, migrates: false };
      await (await Database.open(options)).close();
    }
  }
  return services;
}
