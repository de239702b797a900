export interface FactoryOptions {
  factory: string;
}

export interface TrainJobOptions extends FactoryOptions {
  datanet?: string;
  version?: string;
  host?: string;
  rows?: string;
  base: string;
  set: string[];
  estimate?: boolean;
}

export interface CompareOptions extends FactoryOptions {
  prompt: string[];
  tokens: string;
}

export interface RegisterJobOptions extends FactoryOptions {
  /** Where its name goes. */
  host?: string | undefined;
  price: string;
  amount: string;
}

export interface ExportOptions extends FactoryOptions {
  form: string;
  out: string;
}

/** Each is a variable FACTORY_… of docs/reference/settings.md, which it overrules. */
export interface ServeFactoryOptions {
  data?: string;
  host?: string;
  port?: number;
  datanetHosts?: string;
  bases?: string;
  accounts?: string;
  threads?: string;
  deployment?: string;
}
