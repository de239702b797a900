/** Addresses of the factory's pages and of a job's parts: a reload comes back to the same place. */

export const FACTORY_HREF = "#/factory";

/** Choosing: a base, then rows, then settings. */
export const NEW_HREF = "#/factory/new";
export const dataHref = (baseId: string) => `#/factory/new/${baseId}`;
/** @param host which of the site's hosts */
export const datanetHref = (baseId: string, host: number, datanetId: number) =>
  `#/factory/new/${baseId}/datanet/${host}/${datanetId}`;
export const formHref = (baseId: string, datasetId: string) => `#/factory/new/${baseId}/rows/${datasetId}`;

export const JOB_PARTS = ["watch", "compare", "register", "chat", "export", "lineage"] as const;
export type JobPart = (typeof JOB_PARTS)[number];
export const jobHref = (jobId: string, part: JobPart = "watch") =>
  part === "watch" ? `#/factory/job/${jobId}` : `#/factory/job/${jobId}/${part}`;
