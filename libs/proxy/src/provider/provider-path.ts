import type { ProviderConfig } from '@app/platform';

/**
 * Path and query under which a provider is asked. Azure's v1 API has the paths of OpenAI behind `/openai`, its dated one has a path for each
 * deployment (https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle).
 */
export class ProviderPath {
  /** Path of the base URL without what the routes bring along. */
  readonly #prefix: string;
  readonly #apiVersion: string | null;

  constructor({ baseUrl, azure }: Pick<ProviderConfig, 'baseUrl' | 'azure'>) {
    const base = new URL(baseUrl).pathname.replace(/\/(v1(beta)?\/?)?$/, '');
    this.#apiVersion = azure?.apiVersion ?? null;
    this.#prefix = azure ? `${base.replace(/\/openai$/, '')}/openai` : base;
  }

  /**
   * @param path with its query, beginning with `/v1/`, or `/v1beta/` at Google
   * @param model as the provider calls it
   */
  of(path: string, model: string): string {
    if (this.#apiVersion === null) return this.#prefix + path;
    const versioned = `${path.slice('/v1'.length)}${path.includes('?') ? '&' : '?'}api-version=${this.#apiVersion}`;
    return `${this.#prefix}/deployments/${encodeURIComponent(model)}${versioned}`;
  }
}
