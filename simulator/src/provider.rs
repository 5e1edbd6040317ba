//! A managed security provider: many tenants at one address, and one tenant of its own whose managed identity posts their
//! rows and logs in to them.
//!
//! A request is for the tenant of its path (feed, login), of its token (Graph), or of its rows (ingestion); what is for none
//! of them is for the provider's own. Each tenant is a [`Simulator`] with its own set-up, contents, faults and ledger.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{Extension, middleware};
use serde_json::{Map, Value};
use tempfile::NamedTempFile;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    Config, Environment, Simulator, server,
    shared::{Login, Origin, Shared},
    tls,
    wire::{Cuttable, Wire},
};

mod report;
mod routing;
mod trouble;

pub use report::{Isolation, ProviderReport};
pub use trouble::Trouble;

/// Seed of the provider's own tenant.
const HOME_SEED: u64 = 0x6d73_7370;

/// The set-up of a [`Provider`].
#[derive(Debug, Clone, Default)]
pub struct ProviderConfig {
    /// Its own tenant, with the managed identity, the rule that tenants share, and the port; of a seed of its own.
    pub home: Config,
    /// The tenants whose feeds it reads, each of another seed. Those whose `rule_id` is the provider's share its rule; the
    /// app registration of `app` is in each of them, and trusts the provider's managed identity.
    pub tenants: Vec<Config>,
}

impl ProviderConfig {
    /// So many tenants of the default set-up, with seeds from 1.
    #[must_use]
    pub fn of(tenants: u32) -> Self {
        let tenant = |seed| Config { seed, keep_rows: false, ..Config::default() };
        Self { home: Config::default(), tenants: (1..=u64::from(tenants)).map(tenant).collect() }
    }
}

/// A running provider. Dropping it stops its servers.
#[derive(Debug)]
pub struct Provider {
    tenants: Arc<Tenants>,
    handles: Vec<Simulator>,
    home: Simulator,
    servers: [JoinHandle<io::Result<()>>; 2],
    /// Holds the file.
    _authority: NamedTempFile,
}

/// The tenants by what requests name.
#[derive(Debug)]
struct Tenants {
    home: Arc<Shared>,
    all: Vec<Arc<Shared>>,
    /// By tenant id.
    by_id: HashMap<String, Arc<Shared>>,
    isolation: Mutex<Isolation>,
}

impl Tenants {
    fn new(home: Arc<Shared>, all: Vec<Arc<Shared>>) -> io::Result<Self> {
        let known = all.iter().chain([&home]);
        let by_id: HashMap<_, _> = known.map(|tenant| (tenant.tenant.id.clone(), Arc::clone(tenant))).collect();
        if by_id.len() <= all.len() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "two tenants have the same seed"));
        }
        Ok(Self { home, all, by_id, isolation: Mutex::default() })
    }

    /// The tenant with this id, the provider's own included.
    fn get(&self, id: &str) -> Option<&Arc<Shared>> {
        self.by_id.get(&id.to_ascii_lowercase())
    }

    fn isolation(&self) -> MutexGuard<'_, Isolation> {
        self.isolation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider {
    /// Starts a provider on 127.0.0.1: on a port for plain HTTP, and on one with TLS, which the SDK insists on for logins.
    ///
    /// # Errors
    /// The port is taken, two tenants have the same seed, or a file cannot be written.
    pub async fn start(config: ProviderConfig) -> io::Result<Self> {
        let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, config.home.port)).await?;
        let secure = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, authority) = (plain.local_addr()?, format!("https://{}", secure.local_addr()?));
        let identity = tls::Identity::new()?;
        let login = Login { authority, certificates: identity.authority.path().to_owned() };
        let home = Config { seed: HOME_SEED, ..config.home };
        let origin = Origin::new(format!("http://{address}"), Some(crate::Tenant::new(HOME_SEED).id), Some(login));
        let home = Shared::new(home, Arc::clone(&origin))?;
        let all = config.tenants.into_iter().map(|tenant| Shared::new(tenant, Arc::clone(&origin)));
        let tenants = Arc::new(Tenants::new(home, all.collect::<io::Result<_>>()?)?);
        let router =
            server::router().layer(middleware::from_fn(routing::to_its_tenant)).layer(Extension(Arc::clone(&tenants)));
        let service = || router.clone().into_make_service_with_connect_info::<Wire>();
        let (plain, secure) = (Cuttable(plain), identity.listen(secure)?);
        let servers = [
            tokio::spawn(axum::serve(plain, service()).into_future()),
            tokio::spawn(axum::serve(secure, service()).into_future()),
        ];
        let handle = |shared: &Arc<Shared>| Simulator::served(Arc::clone(shared), address);
        let handles = tenants.all.iter().map(handle).collect();
        Ok(Self { home: handle(&tenants.home), handles, tenants, servers, _authority: identity.authority })
    }

    /// Where it listens without TLS.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.home.address()
    }

    /// The tenants, in the order of the set-up.
    #[must_use]
    pub fn tenants(&self) -> &[Simulator] {
        &self.handles
    }

    /// The tenant with this id.
    #[must_use]
    pub fn tenant(&self, id: &str) -> Option<&Simulator> {
        self.handles.iter().find(|tenant| tenant.tenant().id.eq_ignore_ascii_case(id))
    }

    /// The provider's own tenant: faults of the managed identity and of what is for no tenant are switched on here, and rows
    /// of no tenant arrive here.
    #[must_use]
    pub const fn home(&self) -> &Simulator {
        &self.home
    }

    /// The app settings of the provider: all but the tenants, which [`Provider::tenants_json`] has, and the storage.
    #[must_use]
    pub fn environment(&self) -> Environment {
        let mut environment = self.home.environment();
        environment.retain(|(name, _)| *name != "M365_TENANT_ID");
        environment.extend(self.home.federated_environment());
        environment
    }

    /// The app settings for one of the tenants as the only one, with the managed identity as federated credential.
    #[must_use]
    pub fn environment_of(&self, tenant: &Simulator) -> Environment {
        [tenant.environment(), tenant.federated_environment()].concat()
    }

    /// The tenants as the setting `TENANTS` has them: an array with `tenantId` and `name`, and with what differs from
    /// [`Provider::environment`]. Names are `customer-1` and so on, in the order of the set-up.
    #[must_use]
    pub fn tenants_json(&self) -> String {
        let home = &self.tenants.home.config;
        let entry = |(at, tenant): (usize, &Arc<Shared>)| {
            let config = &tenant.config;
            let mut entry = Map::from_iter([
                ("tenantId".to_owned(), Value::from(tenant.tenant.id.clone())),
                ("name".to_owned(), format!("customer-{}", at + 1).into()),
            ]);
            for (name, value, default) in [
                ("clientId", &config.app.0, &home.app.0),
                ("dcrRuleId", &config.rule_id, &home.rule_id),
                ("dcrStreamName", &config.stream, &home.stream),
            ] {
                if value != default {
                    entry.insert(name.to_owned(), value.clone().into());
                }
            }
            Value::Object(entry)
        };
        Value::Array(self.tenants.all.iter().enumerate().map(entry).collect()).to_string()
    }

    /// How all that was published compares with what arrived, tenant by tenant, and what crossed from one to another.
    #[must_use]
    pub fn report(&self) -> ProviderReport {
        let report = |tenant: &Simulator| (tenant.tenant().id.clone(), tenant.report());
        ProviderReport {
            tenants: self.handles.iter().map(report).collect(),
            home: self.home.report(),
            isolation: self.tenants.isolation().clone(),
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}
