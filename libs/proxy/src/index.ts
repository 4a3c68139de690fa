export { ActiveCalls } from './active-calls';
export type { AnswerSink } from './answer-sink';
export { ProxyModule } from './proxy.module';
export { ProxyService, type Leaving, type ModelRequest } from './proxy.service';
export { Upstream } from './upstream';
