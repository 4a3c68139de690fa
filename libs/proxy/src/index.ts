export { ActiveCalls } from './active-calls';
export type { AnswerSink } from './answer/answer-sink';
export { notOffered } from './models/not-offered';
export { ProxyModule } from './proxy.module';
export type { ModelRequest } from './request/model-request';
export { ProxyService, type Leaving } from './proxy.service';
export { Upstream } from './upstream';
