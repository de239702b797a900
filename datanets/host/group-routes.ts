/** Routes of groups that own a key together, which the host carried messages for: each is refused by name. host-api.ts registers them. */
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { groupsWithdrawn } from "../records/groups-withdrawn.ts";

const ROUTES = ["PUT /v1/group-messages", "GET /v1/group-messages", "GET /v1/group-sessions"] as const;

export function registerGroupRoutes(app: FastifyInstance): void {
  const route = routesOf(app);
  for (const name of ROUTES)
    route(name, { tag: "groups", summary: "Withdrawn: DNT_GROUPS_WITHDRAWN" }, async () => {
      throw groupsWithdrawn();
    });
}
