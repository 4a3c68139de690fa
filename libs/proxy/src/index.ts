export { ActiveCalls } from './active-calls';
export type { AnswerSink } from './answer-sink';
export { notOffered } from './not-offered';
export { ProxyModule } from './proxy.module';
export type { ModelRequest } from './model-request';
export { ProxyService, type Leaving } from './proxy.service';
export { Upstream } from './upstream';
