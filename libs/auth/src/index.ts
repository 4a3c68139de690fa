export type { Access } from './access';
export { AccessGuard } from './access.guard';
export { AdminKeys } from './admin-keys.service';
export { AuthGuard } from './auth.guard';
export { AuthModule } from './auth.module';
export {
  assertRoutesDeclared,
  controllerRoutes,
  declaredRoutes,
  type DeclaredRoute,
  type OutsideRoutes,
} from './declared-routes';
export { JobPrincipalMint } from './job-principals';
export { readJsonBody, type BodyLimits } from './json-body';
export { JsonBodyGuard } from './json-body.guard';
