import { Injectable } from '@nestjs/common';
import { Clock, Database, type Principal } from '@app/platform';
import { windowFigures, type WindowFigures } from './window-figures.queries';

/** How the budgets of everybody stand, for metrics. */
@Injectable()
export class BudgetFigures {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** @throws CodedError `database_unavailable` */
  read(principal: Principal): Promise<WindowFigures[]> {
    return this.database.platform(principal, (tx) => windowFigures(tx, this.clock.now()));
  }
}
