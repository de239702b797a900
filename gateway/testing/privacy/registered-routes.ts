/** Routes of all servers that start in this process, by what fastify registers: a new route is in the list without anybody's doing. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { FastifyInstance, FastifySchema } from "fastify";
import { z } from "zod";

export interface RegisteredRoute {
  readonly method: string;
  /** Path with its parameters, as `/v1/datanets/:id/rows`. */
  readonly path: string;
  /** Parameters of the query, by the route's schema. */
  readonly queryNames: readonly string[];
}

/** Channel on which fastify tells of each instance that is made. */
const CHANNEL = "fastify.initialization";

/** Collects the routes of the servers that are made while `start` runs. Some servers are made of two: each has a list. */
export async function routesWhile<Started>(
  start: () => Promise<Started>,
): Promise<{ started: Started; lists: readonly (readonly RegisteredRoute[])[] }> {
  const lists: RegisteredRoute[][] = [];
  const made = (message: unknown) => {
    const { fastify } = message as { readonly fastify: FastifyInstance };
    const routes: RegisteredRoute[] = [];
    lists.push(routes);
    fastify.addHook("onRoute", ({ method, schema, url }) => {
      for (const one of [method].flat())
        routes.push({ method: one, path: url, queryNames: queryNamesOf(schema) });
    });
  };
  subscribe(CHANNEL, made);
  try {
    const started = await start();
    return { started, lists: lists.filter((routes) => routes.length > 0) };
  } finally {
    unsubscribe(CHANNEL, made);
  }
}

function queryNamesOf(schema: FastifySchema | undefined): string[] {
  const query = schema?.querystring;
  if (!(query instanceof z.ZodType)) return [];
  const json = z.toJSONSchema(query, { io: "input", unrepresentable: "any" });
  return Object.keys(json.properties ?? {});
}
