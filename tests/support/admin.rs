//! The storage account as its administrator has it: leases broken, containers deleted.

use azure_storage_blob::{BlobContainerClient, models::BlobClientBreakLeaseOptions};
use labelstream::{
    state::{client::connect, connection::StorageAccount},
    watermark::Memory,
};

use crate::{azurite::Azurite, world::World};

impl World {
    /// The key of the tenant's lock.
    pub fn lock_key(&self) -> String {
        Memory::lock_key(&self.simulator.tenant().id)
    }

    /// Ends the lease of the tenant's lock, as if its time were over. Whether there was one.
    pub async fn break_lease(&self) -> bool {
        let blob = self.container_client().blob_client(&format!("{}.lock", self.lock_key()));
        let at_once = BlobClientBreakLeaseOptions { break_period: Some(0), ..Default::default() };
        blob.break_lease(Some(at_once)).await.is_ok()
    }

    /// Deletes the state container.
    pub async fn delete_container(&self) {
        self.container_client().delete(None).await.unwrap();
    }

    fn container_client(&self) -> BlobContainerClient {
        let account = StorageAccount::from_connection_string(&Azurite::shared().connection_string()).unwrap();
        connect(&account, None).unwrap().blob_container_client(&self.container)
    }
}
