"""How HTTP is read and answered, whatever the resource: contracts, bodies, versions, rates."""
