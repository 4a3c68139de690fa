export { ActivePolicy, type HeaderDemand } from './active-policy';
export { KnownPolicies } from './known-policies.service';
export { PolicyModule } from './policy.module';
export { Findings, type Finding } from './scan/findings';
export { maskJson, maskText, MaskedJson, MaskedText, type MaskedStream } from './scan/masked-stream';
export { Scanner } from './scan/scanner';
