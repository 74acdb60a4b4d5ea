import { Route, Switch } from 'wouter'
import { Connections } from './pages/Connections'
import { Instances } from './pages/Instances'
import { Job } from './pages/Job'
import { Jobs } from './pages/Jobs'
import { Login } from './pages/Login'
import { NotFound } from './pages/NotFound'
import { Overview } from './pages/Overview'
import { Run } from './pages/Run'
import { Runs } from './pages/Runs'
import { Settings } from './pages/Settings'
import { Shell } from './Shell'

/** Every address of the dashboard on one screen. */
export function App() {
  return (
    <Switch>
      <Route path="/login" component={Login} />
      <Route>
        <Shell>
          <Switch>
            <Route path="/" component={Overview} />
            <Route path="/jobs" component={Jobs} />
            <Route path="/jobs/:id">{({ id }) => <Job key={id} id={id} />}</Route>
            <Route path="/runs" component={Runs} />
            <Route path="/runs/:id">{({ id }) => <Run key={id} id={id} />}</Route>
            <Route path="/connections" component={Connections} />
            <Route path="/instances" component={Instances} />
            <Route path="/settings" component={Settings} />
            <Route>
              <NotFound />
            </Route>
          </Switch>
        </Shell>
      </Route>
    </Switch>
  )
}
