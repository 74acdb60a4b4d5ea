import { Route, Switch } from 'wouter'
import { lazyPage } from './lazy'
import { Jobs } from './pages/Jobs'
import { NotFound } from './pages/NotFound'
import { Overview } from './pages/Overview'
import { Shell } from './Shell'

const Connection = lazyPage(() => import('./pages/Connection').then((page) => page.Connection))
const Connections = lazyPage(() => import('./pages/Connections').then((page) => page.Connections))
const Instances = lazyPage(() => import('./pages/Instances').then((page) => page.Instances))
const Job = lazyPage(() => import('./pages/Job').then((page) => page.Job))
const Login = lazyPage(() => import('./pages/Login').then((page) => page.Login))
const NewConnection = lazyPage(() => import('./pages/NewConnection').then((page) => page.NewConnection))
const NewJob = lazyPage(() => import('./pages/NewJob').then((page) => page.NewJob))
const Run = lazyPage(() => import('./pages/Run').then((page) => page.Run))
const Runs = lazyPage(() => import('./pages/Runs').then((page) => page.Runs))
const Settings = lazyPage(() => import('./pages/Settings').then((page) => page.Settings))

/** Every address of the dashboard on one screen. What people open first is in the first file, the rest a file a page. */
export function App() {
  return (
    <Switch>
      <Route path="/login" component={Login} />
      <Route>
        <Shell>
          <Switch>
            <Route path="/" component={Overview} />
            <Route path="/jobs" component={Jobs} />
            <Route path="/new-job" component={NewJob} />
            <Route path="/jobs/:id">{({ id }) => <Job key={id} id={id} />}</Route>
            <Route path="/runs" component={Runs} />
            <Route path="/runs/:id">{({ id }) => <Run key={id} id={id} />}</Route>
            <Route path="/connections" component={Connections} />
            <Route path="/new-connection" component={NewConnection} />
            <Route path="/connections/:id">{({ id }) => <Connection key={id} id={id} />}</Route>
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
